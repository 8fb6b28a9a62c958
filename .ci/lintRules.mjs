/** ESLint rules of this repository. What they are for: CONTRIBUTING.md, "What the gates hold". */

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** Whether a node runs while its module is evaluated, and not later from inside a function. */
function runsAtTopLevel(node) {
  for (let child = node, { parent } = node; parent; child = parent, parent = parent.parent) {
    if (functionTypes.has(parent.type)) return false;
    // Instance fields wait for `new`; static ones and computed keys do not.
    if (parent.type === "PropertyDefinition" && parent.value === child && !parent.static) return false;
  }
  return true;
}

/** `a(x())` in `a(x()).b()`: a bundler that drops the outer call drops all of the expression it is called on. */
function isPartOfCallee(node) {
  for (let child = node, { parent } = node; parent; child = parent, parent = parent.parent) {
    if (parent.callee === child) return true;
  }
  return false;
}

const pureTopLevel = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      unmarked:
        "Mark this top-level call with /* @__PURE__ */, or bundlers keep it for applications that never use it.",
      effect: "A module has no effects when imported: the package promises `sideEffects: false`.",
      kept: "esbuild keeps this for applications that never use it, and all it mentions: {{what}} at the top level. Compute it inside a function, or in /* @__PURE__ */ (() => ...)().",
      template: "Bundlers keep a top-level tagged template: build the value with a marked call.",
      awaits: "No top-level await: it would break require() of the ES modules.",
    },
  },
  create(context) {
    const { sourceCode } = context;
    const isMarked = (node) => sourceCode.getCommentsBefore(node).some(({ value }) => /[@#]__PURE__/.test(value));

    function check(node) {
      if (!runsAtTopLevel(node) || isPartOfCallee(node)) return;
      if (node.parent.type === "ExpressionStatement") context.report({ node, messageId: "effect" });
      else if (!isMarked(node)) context.report({ node, messageId: "unmarked" });
    }

    const isWellKnownSymbol = (node) => node.type === "MemberExpression" && node.object.name === "Symbol";

    function keep(node, what) {
      if (runsAtTopLevel(node) && !isPartOfCallee(node)) context.report({ node, messageId: "kept", data: { what } });
    }

    function checkKey(node) {
      const { computed, key } = node;
      if (computed && key.type !== "Literal" && !isWellKnownSymbol(key)) keep(node, "a computed key");
    }

    return {
      Property: checkKey,
      MethodDefinition: checkKey,
      PropertyDefinition: checkKey,
      BinaryExpression: (node) => "*/%-".includes(node.operator) && keep(node, "arithmetic (write the number)"),
      SpreadElement: (node) => keep(node, "a spread"),
      ObjectPattern: (node) => keep(node, "destructuring"),
      TemplateLiteral: (node) => node.expressions.length > 0 && keep(node, "a template with a name in it"),
      MemberExpression: (node) => !isWellKnownSymbol(node) && keep(node, "reading a property"),
      CallExpression: check,
      NewExpression: check,
      ImportExpression: check,
      TaggedTemplateExpression: (node) => runsAtTopLevel(node) && context.report({ node, messageId: "template" }),
      AwaitExpression: (node) => runsAtTopLevel(node) && context.report({ node, messageId: "awaits" }),
      "Program > ExpressionStatement > AssignmentExpression": (node) => context.report({ node, messageId: "effect" }),
    };
  },
};

/** Library types whose `any` argument is not "some definition or other" but a hole. */
const holes = new Set([
  "Array",
  "Map",
  "Partial",
  "Promise",
  "PromiseLike",
  "ReadonlyArray",
  "ReadonlyMap",
  "Record",
  "Set",
]);

/** Whether an `any` means "whichever": an existential, a bound or default of a type parameter, a pattern of `infer`. */
function isExistential(node) {
  if (node.parent.type === "TSTypeParameterInstantiation" && !holes.has(node.parent.parent.typeName?.name)) return true;
  for (let child = node, { parent } = node; parent; child = parent, parent = parent.parent) {
    if (parent.type === "TSTypeParameter") return true;
    if (parent.type === "TSConditionalType" && parent.extendsType === child) return true;
  }
  return false;
}

const explainedAny = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      unexplained:
        "Say why this is `any`: in a comment on the line or above it, or in the doc block (by the word `any`).",
    },
  },
  create(context) {
    const { sourceCode } = context;
    const isDocBlock = ({ type, value }) => type === "Block" && value.startsWith("*");
    const reasons = sourceCode.getAllComments().filter((comment) => !isDocBlock(comment));
    const explainedLines = new Set(reasons.flatMap(({ loc }) => [loc.start.line, loc.end.line + 1]));
    const isDocumented = (node) =>
      node.type !== "Program" &&
      (sourceCode.getCommentsBefore(node).some(({ value }) => /\bany\b/.test(value)) || isDocumented(node.parent));

    return {
      TSAnyKeyword(node) {
        if (isExistential(node) || explainedLines.has(node.loc.start.line) || isDocumented(node)) return;
        context.report({ node, messageId: "unexplained" });
      },
    };
  },
};

const todoWithIssue = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { bare: "Write `TODO(#123): ...` with the number of an issue, or do it now." },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (/\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(comment.value))
            context.report({ node: comment, messageId: "bare" });
        }
      },
    };
  },
};

const plainComments = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { person: 'Name the caller, listener or function that is meant: code is no person ("{{word}}").' },
  },
  create(context) {
    const persons =
      /\b(?:nobody|somebody|anybody|everybody|whoever|wonders?|hears?|strangers?|far side|lets? go of|gives? up)\b/i;
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const [word] = persons.exec(comment.value) ?? [];
          if (word !== undefined) context.report({ node: comment, messageId: "person", data: { word } });
        }
      },
    };
  },
};

export default {
  rules: {
    "pure-top-level": pureTopLevel,
    "explained-any": explainedAny,
    "todo-with-issue": todoWithIssue,
    "plain-comments": plainComments,
  },
};
