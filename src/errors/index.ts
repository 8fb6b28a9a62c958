/** Entry `./errors`: every error the framework throws, and the tools to declare your own. */
export {
  builderIncompleteError,
  circularDependenciesError,
  dependencyNotFoundError,
  duplicateRegistrationError,
  eventEmissionCycleError,
  eventNotFoundError,
  invalidDefinitionError,
  invalidIdError,
  contractMismatchError,
  contractUnverifiedError,
  invalidTunnelError,
  middlewareNotRegisteredError,
  middlewareRefusesStreamError,
  resourceNotFoundError,
  storeAlreadyInitializedError,
  tagNotFoundError,
  tunnelOwnershipConflictError,
  unknownItemTypeError,
  type BuilderType,
  type ContractChange,
} from "./bootErrors";
export { CancellationError, cancellationError, isCancellationError, type CancellationData } from "./cancellation";
export { deadlineExceededError, type DeadlineExceededData } from "./deadlineExceeded";
export {
  defineError,
  type DefaultErrorType,
  type ErrorFluentBuilder,
  type IErrorDefinition,
  type IErrorHelper,
  type IErrorMeta,
  type RunnerError,
} from "./defineError";
export {
  idempotencyBusyError,
  idempotencyConflictError,
  idempotencyLeaseLostError,
  idempotencyReplyLostError,
  idempotencyUnavailableError,
  idempotencyUnsupportedError,
  type IdempotencyErrorData,
} from "./idempotencyErrors";
export {
  bulkheadError,
  circuitOpenError,
  rateLimitError,
  timeoutError,
  type BulkheadErrorData,
  type CircuitOpenErrorData,
  type RateLimitErrorData,
  type TimeoutErrorData,
} from "./middlewareErrors";
export {
  contextError,
  devModeOnlyError,
  eventCycleError,
  lockedError,
  phantomTaskNotRoutedError,
  platformUnsupportedFunctionError,
  runDisposedError,
  shutdownTimeoutError,
  taskNotReadyError,
  taskNotRegisteredError,
  taskNotRoutedError,
  validationError,
  type EmissionFrame,
  type ValidationErrorData,
} from "./runErrors";
export { TunnelError, type TunnelErrorExtras } from "./tunnelError";
export { normalizeError } from "./normaliseThrown";
export type { ValidationIssue } from "./validationIssues";
