import { Serializer } from "./Serializer";

class Money {
  constructor(
    readonly amount: number,
    readonly currency = "EUR",
  ) {}
}

const moneyType = {
  id: "Money",
  is: (value: unknown): value is Money => value instanceof Money,
  serialize: ({ amount, currency }: Money) => ({ amount, currency }),
  deserialize: ({ amount, currency }: { amount: number; currency: string }) => new Money(amount, currency),
};

describe("addType", () => {
  it("addType carries instances through both formats", () => {
    const typed = new Serializer();
    typed.addType(moneyType);
    const price = new Money(5);

    const tree = typed.parse<Money[]>(typed.stringify([price, price]));
    const graph = typed.deserialize<Money[]>(typed.serialize([price, price]));

    expect(tree).toEqual([price, price]);
    expect(tree[0]).toBeInstanceOf(Money);
    expect(graph[0]).toBeInstanceOf(Money);
    expect(graph[0]).toBe(graph[1]);
  });

  it("addType offers plain objects, and never arrays", () => {
    const offered: unknown[] = [];
    const typed = new Serializer();
    typed.addType({ ...moneyType, is: (value): value is Money => offered.push(value) === 0 });
    const plain = { list: [1] };

    typed.stringify(plain);

    expect(offered).toEqual([plain]);
  });

  it("addType asks in the order of registration, after the built-in types", () => {
    const typed = new Serializer();
    typed.addType({ ...moneyType, id: "Throws", is: (_value): _value is Money => refuse() });
    typed.addType({ ...moneyType, id: "Date only", is: (value): value is Money => value instanceof Date });
    typed.addType({ ...moneyType, id: "First" });
    typed.addType({ ...moneyType, id: "Second" });

    expect(typed.stringify([new Money(1), new Date(0)])).toBe(
      '[{"__type":"First","value":{"amount":1,"currency":"EUR"}},{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}]',
    );
  });

  it("addType lets definitions use this", () => {
    class Registration {
      readonly id = "Money";
      readonly code = 978;
      is = moneyType.is;
      serialize({ amount }: Money): [number, number] {
        return [amount, this.code];
      }
      deserialize([amount, code]: [number, number]): Money {
        return new Money(amount, String(code === this.code));
      }
    }
    const typed = new Serializer();
    typed.addType(new Registration());

    expect(typed.parse(typed.stringify(new Money(3)))).toEqual(new Money(3, "true"));
  });

  it("addType writes an object that is its own payload once, in both formats", () => {
    const typed = new Serializer();
    typed.addType({
      ...moneyType,
      serialize: (money: Money) => money,
      deserialize: ({ amount }: { amount: number }) => new Money(amount),
    });
    const wallet: { price: Money; same?: Money } = { price: new Money(1) };
    wallet.same = wallet.price;

    const copy = typed.deserialize<Required<typeof wallet>>(typed.serialize(wallet));

    expect(typed.stringify(wallet.price)).toBe('{"__type":"Money","value":{"amount":1,"currency":"EUR"}}');
    expect(copy.price).toEqual(new Money(1));
    expect(copy.price).toBe(copy.same);
    expect(caught(() => new Serializer({ maxDepth: 5000 }).stringify(selfReferring({}))).message).toMatch(/circular/);
  });

  it("addType resolves a loop through a type with create() into the created instance", () => {
    class Box {
      #sealed = "sealed";
      content: unknown;
      get seal(): string {
        return this.#sealed;
      }
    }
    const typed = new Serializer();
    typed.addType({
      id: "Box",
      is: (value): value is Box => value instanceof Box,
      serialize: (box) => ({ content: box.content }),
      deserialize: ({ content }) => Object.assign(new Box(), { content }),
      create: () => new Box(),
    });
    const box = new Box();
    box.content = [box];

    const copy = typed.deserialize<Box>(typed.serialize(box));

    expect((copy.content as Box[])[0]).toBe(copy);
    expect(copy.seal).toBe("sealed");
  });

  it("addType resolves a loop through a type without create() when the result can move", () => {
    const typed = new Serializer();
    typed.addType({ ...moneyType, serialize: (money: Money) => ({ ...money }) });
    const price = new Money(1);
    Object.assign(price, { amount: price });

    const copy = typed.deserialize<Money>(typed.serialize(price));

    expect(copy).toBeInstanceOf(Money);
    expect(copy.amount).toBe(copy);
  });

  it.each([
    ["a map", () => new Map(), "for a type without create(); provide create() for identity-safe placeholders"],
    ["an array", () => [], "for a type without create(); provide create() for identity-safe placeholders"],
    ["a number", () => 1, "for a type without create() that deserializes to a non-object value"],
  ])(
    "addType refuses a loop through a type without create() that becomes %s",
    (_name, deserialize: () => unknown, why) => {
      const typed = new Serializer();
      typed.addType({ id: "Money", is: moneyType.is, serialize: (money: Money) => ({ ...money }), deserialize });
      const price = new Money(1);
      Object.assign(price, { amount: price });
      const text = typed.serialize(price);

      expect(caught(() => typed.deserialize(text)).message).toBe(`Cannot preserve circular references ${why}`);
    },
  );

  it("addType belongs to one serializer", () => {
    const typed = new Serializer();
    typed.addType(moneyType);

    expect(new Serializer().stringify(new Money(1))).toBe('{"amount":1,"currency":"EUR"}');
  });
});

function selfReferring(container: object): object {
  return Object.assign(container, { 0: container });
}

function refuse(): never {
  throw new Error("not mine");
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
