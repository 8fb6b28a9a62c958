import type { TypeDefinition } from "../../index";

/**
 * Lets blobs stand in graph text as numbers, since reading them takes time that a serializer does not have.
 *
 * @param read finds the blob of a number
 * @param write gives a blob its number. Default: there are none to write
 */
export const createBlobType = (
  read: (index: number) => Blob,
  write: (blob: Blob) => number = () => {
    throw new Error("Blobs come from the test, not from the page.");
  },
): TypeDefinition<Blob, number> => ({
  id: "contract.Blob",
  is: (value): value is Blob => value instanceof Blob,
  serialize: write,
  deserialize: read,
  strategy: "value",
});
