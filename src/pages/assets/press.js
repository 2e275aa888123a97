// Sends forms in the background where there is a script, and lends the number pad its hands.
// The same forms work without it.

/** Presses go out one after another, in the order of the hand. */
let last = Promise.resolve();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-press]")) return;
  event.preventDefault();
  const button = event.submitter;
  const address = button?.getAttribute("formaction") ?? form.getAttribute("action");
  const fields = new URLSearchParams(new FormData(form, button));
  if (form.hasAttribute("data-clear")) form.querySelector("input:not([type=hidden])").value = "";
  last = last.then(() => send(form, button, address, fields));
});

async function send(form, button, address, fields) {
  document.body.classList.add("busy");
  try {
    const answer = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body: fields });
    const said = await answer.json();
    if (answer.ok) {
      document.activeElement?.closest(".card") && document.activeElement.blur();
      (button ?? form).closest(".sheet")?.removeAttribute("open");
      for (const field of form.querySelectorAll("input[id]")) field.value = field.defaultValue;
      words("");
      if (form.dataset.done) done(form.dataset.done);
    } else {
      words(said.words);
      for (const field of form.querySelectorAll("input[type=password]")) field.value = "";
    }
  } catch {
    words(document.body.dataset.lost);
  } finally {
    document.body.classList.remove("busy");
  }
  if (document.body.dataset.live) refresh();
  else if (!document.getElementById("no")) location.reload();
}

function refresh() {
  document.dispatchEvent(new Event("till:refresh"));
}

/** The last no, for as long as it holds. */
let said = "";

function words(sentence) {
  said = sentence;
  show();
}

/** Long enough to be read. */
const DONE_MS = 8000;

/** Says on top of the page that a press was taken whose end is seen later. */
function done(sentence) {
  document.getElementById("done")?.remove();
  const note = document.createElement("p");
  note.id = "done";
  note.className = "told";
  note.setAttribute("role", "status");
  note.textContent = sentence;
  document.querySelector("main").prepend(note);
  setTimeout(() => note.remove(), DONE_MS);
}

/** Shows the no in the sheet that is open, else on top of the page. */
function show() {
  document.getElementById("no")?.remove();
  if (!said) return;
  const note = document.createElement("p");
  note.id = "no";
  note.className = "told bad";
  note.setAttribute("role", "alert");
  note.textContent = said;
  const card = document.querySelector(".sheet[open] > .card");
  const place = card ?? document.querySelector(".left") ?? document.querySelector("main");
  place.prepend(note);
}

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-pad] button");
  if (key) {
    const field = document.getElementById(key.closest("[data-pad]").dataset.pad);
    if (key.value === "clear") field.value = "";
    else if (key.value === "back") field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += key.value;
    return;
  }
  const link = event.target.closest("a[data-swap]");
  if (link) {
    event.preventDefault();
    history.replaceState(null, "", link.href);
    refresh();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector(".sheet[open]")?.removeAttribute("open");
});

// A sheet that closes takes its no with it.
document.addEventListener("toggle", (event) => {
  if (!event.target.open && event.target.querySelector("#no")) words("");
}, true);

function pads() {
  for (const pad of document.querySelectorAll("[data-pad][hidden]")) pad.hidden = false;
}
/** What the till itself says on the page need not stand there twice. */
function once() {
  const told = document.getElementById("told")?.textContent ?? "";
  if (said && !document.querySelector(".sheet[open]") && told.includes(said)) words("");
}
document.addEventListener("till:drawn", () => {
  pads();
  once();
  if (said && !document.getElementById("no")) show();
});
pads();
