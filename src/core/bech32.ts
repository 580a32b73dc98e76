/** Text form of keys, as in BIP 173 without its limit of 90 characters: `age1…`. */
const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

export interface Bech32 {
  /** Lower case, without the 1 that follows. */
  readonly prefix: string;
  readonly bytes: Buffer;
}

/** Lower case text. */
export function encodeBech32({ prefix, bytes }: Bech32): string {
  const words = regroup(bytes, 8, 5) as number[];
  const sum = polymod([...expand(prefix), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = Array.from({ length: 6 }, (_, at) => (sum >> (5 * (5 - at))) & 31);
  return `${prefix}1${[...words, ...check].map((word) => ALPHABET[word]).join("")}`;
}

/** Undefined for what is none: a mistyped character, mixed case, bits left over. */
export function decodeBech32(text: string): Bech32 | undefined {
  const lower = text.toLowerCase();
  const end = lower.lastIndexOf("1");
  if ((text !== lower && text !== text.toUpperCase()) || end < 1 || text.length > 1000) return undefined;
  const prefix = lower.slice(0, end);
  const words = [...lower.slice(end + 1)].map((character) => ALPHABET.indexOf(character));
  if (words.includes(-1) || words.length < 6 || polymod([...expand(prefix), ...words]) !== 1) return undefined;
  const bytes = regroup(words.slice(0, -6), 5, 8);
  return bytes === undefined ? undefined : { prefix, bytes: Buffer.from(bytes) };
}

const expand = (prefix: string): number[] => {
  const codes = [...Buffer.from(prefix)];
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
};

function polymod(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    for (const [at, value] of GENERATOR.entries()) if ((top >>> at) & 1) sum ^= value;
  }
  return sum;
}

/** Bits of `from` each as groups of `to`; undefined when padding is not what an encoder writes. */
function regroup(values: Iterable<number>, from: number, to: number): number[] | undefined {
  const groups: number[] = [];
  let [held, bits] = [0, 0];
  for (const value of values) {
    held = ((held << from) | value) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      groups.push((held >> bits) & ((1 << to) - 1));
    }
  }
  const rest = held & ((1 << bits) - 1);
  if (to < from) {
    if (bits > 0) groups.push(rest << (to - bits));
  } else if (bits >= from || rest !== 0) return undefined;
  return groups;
}
