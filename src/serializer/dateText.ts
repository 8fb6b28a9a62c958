/**
 * The same text as `toISOString`, two to three times faster for years of four digits.
 *
 * @throws {RangeError} the date is invalid
 */
export function dateText(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 1000 && year <= 9999)) return date.toISOString();

  const milliseconds = date.getUTCMilliseconds();
  const day = `${year}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
  const time = `${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}`;
  return `${day}T${time}.${milliseconds < 100 ? "0" : ""}${twoDigits(milliseconds)}Z`;
}

const twoDigits = (count: number): string => (count < 10 ? `0${count}` : `${count}`);
