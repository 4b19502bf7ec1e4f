import { canUsePasskeys, createPasskey, usePasskey } from "../people/passkeys.js";

/**
 * The entry module of the pages for signing in, and of the account page. A form with data-passkey creates or
 * uses a passkey when it is submitted. Where the browser cannot use passkeys, such a form works as without a
 * script, if it has an action.
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

const kinds = {
  use: { options: "/sign-in/options", answer: "/sign-in", ask: usePasskey },
  create: { options: "/passkeys/options", answer: "/passkeys", ask: createPasskey },
};

/** Returns the fields of the form that are filled in, without those that only the form's action needs. */
function fieldsOf(form) {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  delete fields.key;
  return fields;
}

async function finish(form) {
  const { options, answer, ask } = kinds[form.dataset.passkey];
  const { next, ...fields } = fieldsOf(form);
  const wanted = await post(options, fields);
  const given = await ask(wanted);
  const done = await post(answer, { answer: given, ...(fields.code && { code: fields.code }), ...(next && { next }) });
  location.assign(done.next);
}

/** Returns what to tell the user about an error of the browser or the server. */
function explain(error) {
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
      show(explain(error));
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
