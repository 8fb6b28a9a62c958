import { check, forms, programOf } from "../support/chainedTasks";

it("2,000 chained tasks are checked without a type getting too deep", () => {
  const { mistakes } = check(programOf(2_000, forms["input schemas and object outputs"]!));

  expect(mistakes).toEqual([]);
}, 180_000);
