/** Rows as lines by hand, gathered to 16 KiB. */
export function* writtenLines(rows) {
  let text = "";
  for (const row of rows) {
    text += `${JSON.stringify(row)}\n`;
    if (text.length < 16_384) continue;
    yield text;
    text = "";
  }
  yield text;
}

/** The rows that the lines of a body are. */
export async function* parsedLines(body) {
  body.setEncoding("utf8");
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
