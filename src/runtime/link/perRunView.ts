import type { Registration } from "../plan/registration";

/**
 * A definition as its run shows it: dependencies and registrations that were written as functions of the config are what
 * these gave for this run. It is the definition itself where nothing is a function.
 */
export function perRunView<R extends Registration>(registration: R): R["definition"] {
  const { definition } = registration;
  let evaluated: PropertyDescriptorMap | undefined;
  if ("dependencies" in definition && typeof definition.dependencies === "function") {
    evaluated = { dependencies: { value: registration.dependencies, enumerable: true } };
  }
  if (registration.kind === "resource" && typeof registration.definition.register === "function") {
    evaluated = { ...evaluated, register: { value: registration.children, enumerable: true } };
  }
  return evaluated ? copyWith(definition, evaluated) : definition;
}

/** A frozen copy with some fields replaced. Accessors are kept as they are: reading one would work out what it hides. */
export function copyWith<D extends object>(definition: D, replaced: PropertyDescriptorMap): D {
  const descriptors = { ...Object.getOwnPropertyDescriptors(definition), ...replaced };
  return Object.freeze(Object.create(Object.getPrototypeOf(definition) as object, descriptors)) as D;
}
