import { startServer } from "./server";

const { port } = await startServer({ port: Number(process.env["PORT"] ?? 8080) });
console.log(`http://127.0.0.1:${port}`);
