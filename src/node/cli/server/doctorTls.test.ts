import { once } from "node:events";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { invalidCertificates, localhostCertificate } from "../../../__tests__/support/certificate";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { runRunner } from "../../../__tests__/support/runnerCommand";
import { createTempProject } from "../../../__tests__/support/tempProject";

beforeAll(ensureBuilt, buildTimeoutMs);

interface Line {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  readonly fix?: string;
}

/** What `runner doctor` says last of a server. @param trusted the certificate that it trusts, beside those it knows */
async function examine(server: Server, { scheme = "https", trusted = "" } = {}): Promise<Line> {
  const project = createTempProject({ "trusted.pem": trusted });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/__runner`;
    const env = trusted === "" ? {} : { NODE_EXTRA_CA_CERTS: join(project.folder, "trusted.pem") };
    const { stdout, exitCode } = await runRunner(["doctor", url, "--json"], { env });
    expect(exitCode).toBe(1);
    return JSON.parse(stdout.trim().split("\n").at(-1) as string) as Line;
  } finally {
    server.close();
    project.remove();
  }
}

const tls = (options: ServerOptions): Server => createHttpsServer(options, (_req, res) => res.end("no exposure"));

describe("runner doctor says of a certificate", () => {
  it("that it is signed by an authority that Node does not know", async () => {
    expect(await examine(tls(localhostCertificate))).toEqual({
      check: "tls",
      ok: false,
      message: "The handshake failed: self-signed certificate.",
      fix: "set NODE_EXTRA_CA_CERTS to the file of its authority.",
    });
  });

  it.each([
    [
      "that it has expired",
      invalidCertificates.expired,
      "certificate has expired",
      "renew the certificate, or set the clock of this machine right.",
    ],
    [
      "that it is not valid yet",
      invalidCertificates.early,
      "certificate is not yet valid",
      "set the clock of this machine right, or use a certificate that is valid.",
    ],
    [
      "that it is of another name",
      invalidCertificates.foreign,
      "IP: 127.0.0.1 is not in the cert's list",
      "use a name that the certificate has, or a certificate for this one.",
    ],
  ])("%s", async (_what, certificate, message, fix) => {
    const seen = await examine(tls(certificate), { trusted: certificate.cert });

    expect(seen).toMatchObject({ check: "tls", ok: false, fix });
    expect(seen.message).toContain(message);
  });

  it("until when it is valid, and goes on", async () => {
    const seen = await examine(tls(localhostCertificate), { trusted: localhostCertificate.cert });

    expect(seen).toMatchObject({ check: "base path", ok: false });
  });
});

describe("runner doctor says of a server", () => {
  it("that it does not speak TLS, for https:// in its URL", async () => {
    const seen = await examine(
      createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );

    expect(seen).toEqual({
      check: "tls",
      ok: false,
      message: "The handshake failed: wrong version number.",
      fix: "it does not speak TLS: use http:// in <url>.",
    });
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("that it may speak TLS, as %s, for http:// in its URL", async (version) => {
    const server = tls({ ...localhostCertificate, minVersion: version, maxVersion: version });

    expect(await examine(server, { scheme: "http" })).toMatchObject({
      check: "http",
      ok: false,
      fix: "it may speak TLS: use https:// in <url>.",
    });
  });

  it("that it ends connections before TLS begins", async () => {
    expect(await examine(createServer((socket) => socket.on("error", () => {}).end()))).toMatchObject({
      check: "tls",
      ok: false,
      fix: "it may not speak TLS: try http:// in <url>.",
    });
  });

  it("that its TLS is too old", async () => {
    const old: ServerOptions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };

    expect(await examine(tls({ ...localhostCertificate, ...old }))).toEqual({
      check: "tls",
      ok: false,
      message: "The handshake failed: tlsv1 alert protocol version.",
      fix: "let the server speak TLS 1.2 or later.",
    });
  });

  it("that it wants a certificate of its callers", async () => {
    const { cert } = localhostCertificate;
    const server = tls({ ...localhostCertificate, requestCert: true, ca: cert, maxVersion: "TLSv1.2" });

    expect(await examine(server, { trusted: cert })).toMatchObject({
      check: "tls",
      ok: false,
      fix: "it offers no cipher of this one, or wants a certificate of its callers: ask a proxy that has one.",
    });
  });
});
