/** Whether `for in` shows more than an object's own keys: something was put on `Object.prototype`. */
export function inheritsKeys(): boolean {
  for (const _key in {}) return true;
  return false;
}
