import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (name: string): string => readFileSync(join(__dirname, name), "utf8");

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: Place;
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const dashboard = JSON.parse(read("service.json")) as Dashboard;
/** The metrics that the page lists, and the series that Prometheus makes of them. */
const metrics = [...read("README.md").matchAll(/^\| `(runner_\w+)` +\| (\w+)/gm)].map(([, name = "", kind = ""]) => ({
  name,
  series: kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
}));
const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

it("the dashboard asks for the metrics that its page lists, each of them, and for no others", () => {
  const asked = new Set(queries.flatMap((query) => query.match(/\brunner_\w+/g) ?? []));

  expect(metrics).toHaveLength(5);
  expect([...asked].filter((series) => !metrics.some((metric) => metric.series.includes(series)))).toEqual([]);
  expect(metrics.filter(({ series }) => !series.some((each) => asked.has(each)))).toEqual([]);
});

it("the dashboard has queries whose brackets close, over the services that its variable chooses", () => {
  const pairs: Record<string, string> = { ")": "(", "}": "{", "]": "[" };
  for (const query of queries) {
    const open: string[] = [];
    for (const character of query.replace(/"[^"]*"/g, "")) {
      if ("({[".includes(character)) open.push(character);
      else if (character in pairs) expect([query, open.pop()]).toEqual([query, pairs[character]]);
    }
    expect([query, open]).toEqual([query, []]);
    for (const [, labels] of query.matchAll(/runner_\w+\{([^}]*)\}/g)) expect(labels).toContain('job=~"$job"');
  }
});

it("the dashboard places its panels beside each other, within the width of Grafana, and names each once", () => {
  const { panels } = dashboard;
  const overlap = (a: Place, b: Place): boolean =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const clashes = panels.flatMap((one, index) =>
    panels.slice(index + 1).flatMap((other) => (overlap(one.gridPos, other.gridPos) ? [[one.title, other.title]] : [])),
  );

  expect(clashes).toEqual([]);
  expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
});

it("the dashboard is of no one's Grafana: it takes its source by a variable", () => {
  expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
    ["datasource", "datasource"],
    ["job", "query"],
  ]);
  expect(dashboard.panels.filter(({ datasource }) => datasource.uid !== "${datasource}")).toEqual([]);
  expect(dashboard).not.toHaveProperty("id");
});
