import { describeTransfers } from "../support/memory/describeTransfers";

describe("a transfer of 2 GiB", () => describeTransfers(2048, { peakMiB: 180, growthMiB: 100 }));
