// Lets the browser make or show a passkey (WebAuthn) and hands its answer to the form that stands on the page.
(() => {
  "use strict";
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (one) => ({ ...one, id: bytes(one.id) });

  const create = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: (options.excludeCredentials || []).map(named),
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON),
        transports: made.response.getTransports ? made.response.getTransports() : null,
      },
      extensions: JSON.stringify(made.getClientExtensionResults()),
    };
  };

  const get = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: (options.allowCredentials || []).map(named),
    };
    const shown = await navigator.credentials.get({ publicKey });
    return {
      id: shown.id,
      rawId: text(shown.rawId),
      type: shown.type,
      response: {
        authenticatorData: text(shown.response.authenticatorData),
        clientDataJSON: text(shown.response.clientDataJSON),
        signature: text(shown.response.signature),
        userHandle: shown.response.userHandle ? text(shown.response.userHandle) : null,
      },
      assertionClientExtensions: JSON.stringify(shown.getClientExtensionResults()),
    };
  };

  const work = form.dataset.passkey === "create" ? create : get;
  work(JSON.parse(form.dataset.options)).then(
    (answer) => {
      form.elements.namedItem("credential").value = JSON.stringify(answer);
      form.submit();
    },
    () => {
      document.getElementById("passkey-trouble").textContent =
        "The browser gave no passkey: it was turned away, took too long, or is for another address. Try again.";
    },
  );
})();
