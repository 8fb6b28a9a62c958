import { Bag } from "./bag";

const create = (): { place: number } => ({ place: -1 });

test("a member is in a bag until it is taken out, once", () => {
  const bag = new Bag<{ place: number }>();
  const [first, second, third] = [create(), create(), create()];
  for (const member of [first, second, third]) bag.add(member);
  expect([bag.delete(first), bag.delete(first), bag.size]).toEqual([true, false, 2]);
  expect(new Set(bag)).toEqual(new Set([second, third]));
  expect([bag.delete(third), bag.delete(second), bag.size]).toEqual([true, true, 0]);
});

test("a member may go on to another bag when the first one is emptied", () => {
  const [one, other] = [new Bag<{ place: number }>(), new Bag<{ place: number }>()];
  const [stays, goes] = [create(), create()];
  one.add(stays);
  one.add(goes);
  const emptied = one.empty();
  expect([emptied, one.size]).toEqual([[stays, goes], 0]);
  other.add(goes);
  expect([one.delete(goes), one.delete(stays), other.delete(goes)]).toEqual([false, false, true]);
});
