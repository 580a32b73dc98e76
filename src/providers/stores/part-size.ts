const MIB = 1024 * 1024;

/** Bytes of a part as long as an object is not huge; the manifest hashes pieces of this size too. */
export const FIRST_PART_SIZE = 16 * MIB;

/** Most parts that S3 knows. */
export const AWS_MAX_PARTS = 10_000;

/**
 * Bytes of the part with a number from 1. The first 40 % of the parts are small, so that memory stays small too (67 GB
 * with 10,000 parts, 6.7 GB with 1,000); then they grow by 16 MiB at a time, so that 10,000 parts hold more than the
 * 5 TiB that an object may have, and 1,000 parts 600 GB. No part is bigger than 2 GiB.
 */
export function partSize(number: number, maxParts: number): number {
  const steady = Math.floor(maxParts * 0.4);
  const step = Math.max(1, Math.floor(maxParts / 180));
  return FIRST_PART_SIZE * (1 + Math.max(0, Math.ceil((number - steady) / step)));
}
