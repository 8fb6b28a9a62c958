import { rejectionOf } from "../../../__tests__/support/failures";
import { createJwtGate } from "./jwt";

it("a JWT gate without the package that it needs says which one to install", async () => {
  const missing = Object.assign(new Error("Cannot find package 'jose'"), { code: "ERR_MODULE_NOT_FOUND" });

  const error = await rejectionOf(
    createJwtGate("tunnelRelay: gates[0][0]", { key: "secret", algorithms: ["HS256"] }, () => Promise.reject(missing)),
  );

  expect(error.message).toBe(
    'tunnelRelay: gates[0][0] needs the package "jose", which is not installed: npm install jose',
  );
  expect(error.cause).toBe(missing);
});

it("a JWT gate with a config that cannot be meant says so before it loads anything", async () => {
  const load = (): never => {
    throw new Error("loaded");
  };

  expect(await rejectionOf(createJwtGate("gate", { key: "", algorithms: ["HS256"] }, load))).toMatchObject({
    message: expect.stringContaining("key"),
  });
});
