import { batchContentType, perCallHeaders } from "../../protocol/batch";
import { requestIdHeader } from "../../protocol/headers";
import { batchType, idHeader, lineHeaders } from "./batchWords";

it("clients and servers of batches have the same words", () => {
  expect({ batchType, idHeader, lineHeaders }).toEqual({
    batchType: batchContentType,
    idHeader: requestIdHeader,
    lineHeaders: perCallHeaders,
  });
});
