/** The token all peers ask for. */
export const token = "dev-secret";

const dayMs = 86_400_000;

/** About 10 KB of text, with 20 Dates in it. */
export const report = () => ({
  title: "Shipments of the month",
  shipments: Array.from({ length: 20 }, (_, i) => ({
    id: `shipment-${1000 + i}`,
    sentAt: new Date(1_700_000_000_000 + i * dayMs),
    recipient: { name: "Ada Lovelace", street: "12 St. James's Square", city: "London" },
    weights: [1.5 + i, 2.25, 3],
    note: "Handle with care, leave it at the door when nobody answers. ".repeat(5),
  })),
});

/** In every right answer to it. */
export const lastDate = report().shipments.at(-1).sentAt.toISOString();

/** What servers do with it: look at the dates and send it back. */
export function inspect(given) {
  for (const { sentAt } of given.shipments) {
    if (!(sentAt instanceof Date)) throw new TypeError("A date did not arrive as one.");
  }
  return given;
}
