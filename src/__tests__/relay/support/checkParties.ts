import { findPackage, findParty, packageNames, partyNames } from "./parties";

/** A party that is missing ends the run before it begins: a test that is left out proves nothing. */
export default function checkParties(): void {
  for (const name of partyNames) findParty(name);
  for (const name of packageNames) findPackage(name);
}
