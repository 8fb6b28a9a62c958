import localtunnel from "localtunnel";

export async function start({ serverPort, localPort }) {
  const tunnel = await localtunnel({ host: `http://127.0.0.1:${serverPort}`, port: localPort });
  // A connection that ends is replaced by the client; its errors are part of that.
  tunnel.on("error", () => {});
  return { host: new URL(tunnel.url).host };
}
