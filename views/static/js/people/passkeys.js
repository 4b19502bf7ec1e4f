/** Creates and uses passkeys (WebAuthn). Binary values are base64url in JSON (RFC 4648, section 5). */

/** Reports whether the browser supports passkeys on this page. They require HTTPS or localhost. */
export const canUsePasskeys = () => "PublicKeyCredential" in globalThis && !!navigator.credentials;

const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const decodeIDs = (list = []) => list.map((item) => ({ ...item, id: decode(item.id) }));

/**
 * Creates a passkey and returns the authenticator's response as JSON.
 * @param {{ publicKey: object }} options from the server
 */
export async function createPasskey({ publicKey }) {
  const { challenge, user, excludeCredentials } = publicKey;
  const created = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: decode(challenge),
      user: { ...user, id: decode(user.id) },
      excludeCredentials: decodeIDs(excludeCredentials),
    },
  });
  const { attestationObject, clientDataJSON } = created.response;
  return toJSON(created, { attestationObject, clientDataJSON }, { transports: created.response.getTransports?.() ?? [] });
}

/**
 * Signs in with a passkey that the user chooses and returns the authenticator's response as JSON.
 * @param {{ publicKey: object }} options from the server
 */
export async function usePasskey({ publicKey }) {
  const chosen = await navigator.credentials.get({
    publicKey: { ...publicKey, challenge: decode(publicKey.challenge), allowCredentials: decodeIDs(publicKey.allowCredentials) },
  });
  const { authenticatorData, clientDataJSON, signature, userHandle } = chosen.response;
  return toJSON(chosen, { authenticatorData, clientDataJSON, signature, ...(userHandle && { userHandle }) });
}

function toJSON({ rawId, type, authenticatorAttachment }, buffers, others = {}) {
  const response = { ...others };
  for (const [name, buffer] of Object.entries(buffers)) response[name] = encode(buffer);
  return JSON.stringify({ id: encode(rawId), rawId: encode(rawId), type, authenticatorAttachment, clientExtensionResults: {}, response });
}
