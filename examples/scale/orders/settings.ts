/** What the parent gives its processes. */
export function setting(name: string, fallback?: string): string {
  const value = process.env[name] ?? fallback;
  if (value === undefined) throw new Error(`The setting ${name} is missing.`);
  return value;
}

export const auth = { token: setting("TOKEN") };
