/** Version of the format of summit.yaml. In a file of its own so that it can be had without loading zod. */
export const CONFIG_SCHEMA = "summitctl.config.v1";
