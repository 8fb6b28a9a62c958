/** One thing to do, or to look at, before an application moves to this version. */
export interface Finding {
  /** `required`: it does not work as it stands. `silent`: it works, and differently. */
  readonly severity: "required" | "silent";
  /** The rule that found it; stable, for tools. */
  readonly rule:
    | "load"
    | "boot"
    | "runOption"
    | "movedToNode"
    | "notExported"
    | "typeOnly"
    | "noSuchEntry"
    | "noSuchBuiltin"
    | "disposeOrder"
    | "keptConfig"
    | "hookOrder"
    | "severalOverrides"
    | "unregisteredEvent";
  /** One sentence, with ids in quotes. */
  readonly message: string;
  readonly fix?: string;
  /** Id of the error it would fail with, as in readmes/ERRORS.md. */
  readonly error?: string;
  /** What is imported, of findings about an import. */
  readonly name?: string;
  /** Ids of definitions it is about, the one to look at first. */
  readonly ids?: readonly string[];
  /** Relative to the folder of the application, where known. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
}
