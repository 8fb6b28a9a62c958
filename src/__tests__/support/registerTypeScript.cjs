// Has `require` take TypeScript. What the sources load later by `import()` is required as well, as in the CommonJS build.
const { register } = require("esbuild-register/dist/node");

register({ target: "node20", supported: { "dynamic-import": false } });
