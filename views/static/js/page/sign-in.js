import { canUsePasskeys, createPasskey, usePasskey } from "../people/passkeys.js";

/**
 * The entry module of the sign-in pages and the account page. Submitting a form with data-passkey creates or uses a
 * passkey. If the browser does not support passkeys, the script leaves such a form alone. If the form has an action, it
 * works without the script.
 */

const problem = document.getElementById("problem");

function show(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

async function post(path, fields) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(fields),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
  return body;
}

/** For each value of data-passkey: the paths of the two requests, and the function that the browser runs between them. */
const ceremonies = {
  use: { optionsPath: "/sign-in/options", finishPath: "/sign-in", run: usePasskey },
  create: { optionsPath: "/passkeys/options", finishPath: "/passkeys", run: createPasskey },
};

/** Returns the fields that are not empty, without the key, which only the form's action needs. */
function fieldsOf(form) {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  delete fields.key;
  return fields;
}

async function finish(form) {
  const { optionsPath, finishPath, run } = ceremonies[form.dataset.passkey];
  const { next, ...fields } = fieldsOf(form);
  const options = await post(optionsPath, fields);
  const answer = await run(options);
  const signedIn = await post(finishPath, { answer, ...(fields.code && { code: fields.code }), ...(next && { next }) });
  location.assign(signedIn.next);
}

/** Returns the text to show for an error from the browser or the server. */
function textOf(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "No passkey was used. Try again, or use another way to sign in.";
    case "InvalidStateError":
      return "This device already has a passkey for this account.";
    case "TypeError":
      return "The server can’t be reached. Try again in a moment.";
  }
  return error.message;
}

function enable(form) {
  const button = form.querySelector("button");
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    show("");
    try {
      await finish(form);
    } catch (error) {
      show(textOf(error));
    } finally {
      button.disabled = false;
    }
  });
}

const forms = document.querySelectorAll("form[data-passkey]");
if (canUsePasskeys()) {
  forms.forEach(enable);
  for (const hint of document.querySelectorAll("[data-with-passkeys]")) hint.hidden = false;
} else if (document.querySelector("form[data-passkey] button:disabled")) {
  show("Passkeys work only over HTTPS, or on localhost.");
}
