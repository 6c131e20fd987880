// While a form is filled in, asks the server what it makes of it: which fields are shown, computed and wrong.
// Nothing is judged here, and everything works without it: then the button "update the form" does the same.
"use strict";

(() => {
  const form = document.querySelector("form[data-check]");
  if (!form) return;

  let edits = 0; // counts what the person does, so that an answer to an older state is not laid over a newer one
  let composing = false; // an input method is in the middle of a word
  let timer = 0;
  let checked = false;

  const sheet = () => document.getElementById("sheet");
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => refresh([]), wait);
  };

  // The form as it stands. Files are not sent to be checked: their names stand for them.
  function entered(extra) {
    const body = new FormData();
    for (const [name, value] of new FormData(form)) {
      if (!(value instanceof File)) body.append(name, value);
      else if (value.name) body.append(`${name}.chosen`, value.name);
    }
    for (const [name, value] of extra) body.append(name, value);
    return body;
  }

  async function ask(extra) {
    const answer = await fetch(form.dataset.check, {
      method: "POST", body: entered(extra), headers: { "X-Fragment": "1" }, credentials: "same-origin",
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { fresh: page.getElementById("sheet"), signedOut: answer.redirected };
  }

  // Lay the fresh sheet in place of the old one. Chosen files cannot be copied, so their inputs move over; and so does
  // the field somebody is in, with its caret.
  function exchange(fresh) {
    const old = sheet();
    const focused = document.activeElement;
    const inside = focused && focused.id && old.contains(focused) ? focused : null;
    const caret = inside && inside.selectionStart !== undefined ? [inside.selectionStart, inside.selectionEnd] : null;
    for (const input of old.querySelectorAll("input[type=file]")) {
      const place = input.files.length && fresh.querySelector(`input[type=file][name="${CSS.escape(input.name)}"]`);
      if (place) place.replaceWith(input);
    }
    const place = inside && document.getElementById(inside.id) && fresh.querySelector(`#${CSS.escape(inside.id)}`);
    const open = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    if (place && inside.matches("input:not([type=radio]):not([type=checkbox]), textarea")) place.replaceWith(inside);
    old.replaceWith(document.adoptNode(fresh));
    [...sheet().querySelectorAll(".scroll")].forEach((box, index) => { box.scrollLeft = open[index] || 0; });
    if (inside) {
      const again = document.getElementById(inside.id);
      if (again) {
        again.focus({ preventScroll: true });
        if (caret && caret[0] !== null && again.setSelectionRange && again.type !== "date") {
          try { again.setSelectionRange(...caret); } catch { /* a kind of field without a caret */ }
        }
      }
    }
  }

  async function refresh(extra) {
    if (composing) return later(400);
    const before = edits;
    let answer;
    try {
      answer = await ask(extra);
    } catch {
      return undefined; // no connection: the form can still be sent
    }
    if (!answer.fresh) return undefined;
    if (before !== edits) return later(400);
    exchange(answer.fresh);
    return undefined;
  }

  form.addEventListener("compositionstart", () => { composing = true; });
  form.addEventListener("compositionend", () => { composing = false; });
  form.addEventListener("input", () => { edits += 1; checked = false; });
  form.addEventListener("change", () => { edits += 1; checked = false; later(150); });

  // Adding and removing rows, without leaving the page.
  form.addEventListener("click", async (event) => {
    const button = event.target.closest("button[name=_row]");
    if (!button) return;
    event.preventDefault();
    edits += 1;
    clearTimeout(timer);
    const table = button.closest("fieldset").id;
    await refresh([["_row", button.value]]);
    const rows = document.querySelectorAll(`#${CSS.escape(table)} tbody tr`);
    const last = rows[rows.length - 1];
    const first = button.value.startsWith("add:") && last && last.querySelector("input, select, textarea");
    (first || document.querySelector(`#${CSS.escape(table)} > button`))?.focus();
  });

  // Before the form is sent, every problem is asked for; so chosen files need not be chosen again.
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (form.classList.contains("sent")) return event.preventDefault();
    if (checked || (button && button.hasAttribute("formaction"))) {
      form.classList.add("sent"); // a second click sends nothing
      return undefined;
    }
    event.preventDefault();
    clearTimeout(timer);
    let answer;
    try {
      answer = await ask([["_final", "1"]]);
    } catch {
      answer = { fresh: null, signedOut: false };
    }
    if (answer.signedOut) return tell(form.dataset.lost);
    if (answer.fresh && answer.fresh.querySelector("#problems")) {
      exchange(answer.fresh);
      document.getElementById("problems").focus();
      return undefined;
    }
    checked = true;
    return form.requestSubmit(button || undefined);
  });

  function tell(sentence) {
    const box = document.createElement("div");
    box.className = "problems";
    box.tabIndex = -1;
    box.setAttribute("role", "alert");
    box.textContent = sentence;
    sheet().prepend(box);
    box.focus();
  }

  window.addEventListener("pageshow", () => form.classList.remove("sent"));
  document.documentElement.classList.add("with-script");
})();
