// What is wrong with a request that Node's parser let through: the rules of RFC 9112 that it leaves to the server.

import type { IncomingMessage } from 'node:http';
import { METHODS } from 'node:http';
import { isIPv6 } from 'node:net';

/** The header section's limits: bytes with the request line, and lines. */
export const MAX_HEADER_BYTES = 16_384;
export const MAX_HEADER_LINES = 1000;

/** Method and version before the target, ` HTTP/1.1` and CRLF after it. */
const REQUEST_LINE_BYTES = 16;
/** `: ` and CRLF of a header line. */
const HEADER_LINE_BYTES = 4;

const METHODS_KNOWN: ReadonlySet<string> = new Set(METHODS);

/** The status a request is to be refused with, or 0 for a valid one. Sees every header line. */
export function fault(req: IncomingMessage): 0 | 400 | 431 {
  const lines = req.rawHeaders;
  const { httpVersion, url = '', method = '' } = req;
  if (lines.length > 2 * MAX_HEADER_LINES) return 431;
  let bytes = url.length + REQUEST_LINE_BYTES;
  let host: string | undefined;
  let coded = false;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    bytes += name.length + value.length + HEADER_LINE_BYTES;
    switch (name.length) {
      case 4:
        if (name !== 'Host' && name !== 'host' && name.toLowerCase() !== 'host') break;
        if (host !== undefined) return 400;
        host = value;
        break;
      case 14:
        // A leading zero may be read as octal by the next in line.
        if (value.charCodeAt(0) === 48 && value.length > 1 && name.toLowerCase() === 'content-length')
          return 400;
        break;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (coded || value.toLowerCase() !== 'chunked') return 400;
        coded = true;
    }
  }
  if (bytes > MAX_HEADER_BYTES) return 431;
  if (httpVersion === '1.1') {
    if (host === undefined) return 400;
  } else if (httpVersion !== '1.0' || coded) return 400;
  if (host !== undefined && !isHost(host)) return 400;
  if (url !== '/' && !isTarget(url, method)) return 400;
  return method === 'GET' || METHODS_KNOWN.has(method) ? 0 : 400;
}

let lastHost = 'localhost';
const HOST = /^(?:\[([0-9a-f:.]+)\]|(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::(\d{0,5}))?$/i;

/** `host[:port]` of RFC 3986, less the comma, which here is a list. The last one seen is known to be good. */
function isHost(host: string): boolean {
  if (host === lastHost) return true;
  const match = HOST.exec(host);
  if (!match) return false;
  const [, ipv6, port] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6)) return false;
  if (port !== undefined && Number(port) > 65_535) return false;
  lastHost = host;
  return true;
}

const ORIGIN_FORM = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)(?:[/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?$/i;

/** Origin-form, absolute-form, or `*` for OPTIONS; printable ASCII without fragment and backslash. */
function isTarget(target: string, method: string): boolean {
  if (ORIGIN_FORM.test(target)) return true;
  if (target === '*') return method === 'OPTIONS';
  const authority = ABSOLUTE_FORM.exec(target)?.[1];
  return authority !== undefined && isHost(authority);
}
