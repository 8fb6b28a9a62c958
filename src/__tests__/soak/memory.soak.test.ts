import { describeTransfers } from "../support/memory/describeTransfers";

describe("a transfer of 2 GiB", () => describeTransfers(2048, { peakMiB: 150, growthMiB: 100 }));
