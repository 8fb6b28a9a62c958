import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { rootOf } from "./failure";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly isFine: boolean;
  /** What was seen. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

export const fine = (name: string, message: string): Check => ({ name, isFine: true, message });
export const wrong = (name: string, message: string, fix: string): Check => ({ name, isFine: false, message, fix });

/** Whether the name has an address. */
export async function checkName(host: string): Promise<Check> {
  if (isIP(host) !== 0) return fine("name", `${host} is an address.`);
  try {
    const { address } = await lookup(host);
    return fine("name", `${host} is ${address}.`);
  } catch (error) {
    return wrong("name", `${host} has no address: ${(error as Error).message}.`, "check the spelling, and the DNS.");
  }
}

/** Whether something listens there. */
export function checkConnection(host: string, port: number, timeoutMs: number): Promise<Check> {
  const place = `port ${port} of ${host}`;
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: timeoutMs });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.once("connect", () => end(fine("connection", `Something listens on ${place}.`)));
    socket.once("timeout", () =>
      end(wrong("connection", `Nothing replies on ${place}.`, "look at firewalls and security groups on the way.")),
    );
    socket.once("error", (error) => {
      const { code, message } = rootOf(error);
      const isRefused = code === "ECONNREFUSED";
      end(
        wrong(
          "connection",
          isRefused ? `Nothing listens on ${place}.` : `${place} cannot be reached: ${message}.`,
          isRefused
            ? 'start the server, check the port, and whether http.listen.host is an address of this network ("127.0.0.1", the default, is reached from its own machine alone).'
            : "look at the route and firewalls on the way.",
        ),
      );
    });
  });
}

/** Whether it speaks TLS, with a certificate that is valid. */
export function checkTls(host: string, port: number, timeoutMs: number): Promise<Check> {
  return new Promise((resolve) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ host, port, timeout: timeoutMs, ...name });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.once("secureConnect", () => {
      const { valid_to: validTo } = socket.getPeerCertificate() as Partial<PeerCertificate>;
      end(fine("tls", `${socket.getProtocol() ?? "TLS"}, the certificate is valid until ${validTo ?? "?"}.`));
    });
    socket.once("timeout", () => end(wrong("tls", "The handshake does not end.", "check what listens there.")));
    socket.once("error", (error: NodeJS.ErrnoException & { readonly reason?: string }) => {
      const { code = "", message } = error;
      // OpenSSL says in its message where in its own code that was.
      const reason = code.startsWith("ERR_SSL_") ? (error.reason ?? message) : message;
      end(wrong("tls", `The handshake failed: ${reason.trim().replace(/[.:\s]+$/, "")}.`, tlsFixes(code)));
    });
  });
}

function tlsFixes(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "use a name that the certificate has, or a certificate for this one.";
  if (code === "CERT_HAS_EXPIRED") return "renew the certificate, or set the clock of this machine right.";
  if (code === "CERT_NOT_YET_VALID") return "set the clock of this machine right, or use a certificate that is valid.";
  if (/SELF_SIGNED|UNABLE_TO|DEPTH_ZERO/.test(code)) return "set NODE_EXTRA_CA_CERTS to the file of its authority.";
  if (/WRONG_VERSION|PACKET_LENGTH/.test(code)) return "it does not speak TLS: use http:// in <url>.";
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) return "let the server speak TLS 1.2 or later.";
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER/.test(code))
    return "it offers no cipher of this one, or wants a certificate of its callers: ask a proxy that has one.";
  if (code === "ECONNRESET") return "it may not speak TLS: try http:// in <url>.";
  return "check what listens there.";
}
