import { describeMachines } from "../contracts/machines.ts";
import { fakeMachines } from "./fake-machines.ts";

describeMachines("fake", async () => {
  const { machines, address, leaveUnbooted } = fakeMachines();
  return {
    machines,
    address,
    image: "fake",
    leaveUnbooted: async (spec) => leaveUnbooted(spec),
    cleanup: async () => {},
  };
});
