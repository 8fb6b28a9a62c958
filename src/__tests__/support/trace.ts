import { r } from "../../index";

/** Resources that write down when they come and go. */
export function createTrace() {
  const log: string[] = [];
  const traced = (id: string) =>
    r
      .resource(id)
      .init(async () => {
        log.push(`+${id}`);
        return id;
      })
      .dispose(async () => void log.push(`-${id}`));
  return { log, traced };
}
