/** Whether a reply sends its caller elsewhere; "not modified" does not. */
export const isRedirect = (status: number): boolean => status >= 300 && status < 400 && status !== 304;

/**
 * Describes a redirect that was refused.
 *
 * @param status 0 where the platform hides it
 */
export function redirected(status: number, location: string | null | undefined): string {
  const target = location ? ` to "${location.slice(0, shownLength)}"` : "";
  return `  The server replied with a redirect${status ? ` (${status})` : ""}${target}. No client follows one, so that credentials stay with their origin: let baseUrl lead to the exposure itself.`;
}

/** How much of what a server sends stands in a message. */
const shownLength = 200;
