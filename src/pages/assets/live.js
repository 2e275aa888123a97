// Follows the till: listens for changes, fetches the page again and replaces the parts that differ.
// The page is drawn in one place only, on the till. Without this script it is as true, at each load.

const body = document.body;
let fetching = false;
let again = false;
let waiting = false;
/** The timers of fingers that are down, by pointer. */
const fingers = new Map();
let missed = false;

/** A finger rests on the glass for about a tenth of a second. One whose end is never told counts for this long. */
const PRESS_MS = 1000;
/** On a touch screen the click comes some milliseconds after the finger is up. */
const CLICK_MS = 50;

/** Fetches this page (or another address of it) and takes over what changed. */
export async function refresh(address = location.href) {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    take(page);
    lost(false);
  } catch {
    lost(true);
  } finally {
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function take(page) {
  // A button that is drawn anew between finger down and finger up is not pressed at all.
  if (fingers.size > 0) {
    missed = true;
    // The same button pressed once more is one more press, also on a page that is not drawn yet.
    const { command } = page.body.dataset;
    if (command) for (const field of document.querySelectorAll('input[name="command"]')) field.value = command;
    return;
  }
  const parts = (root) => [...root.querySelectorAll("[data-part]")];
  const names = (root) => parts(root).map((part) => part.id).join();
  const newCommand = page.body.dataset.command;
  body.dataset.now = page.body.dataset.now;
  received = performance.now();
  // A press under way marks this body, and is no reason to draw all of it anew under the hand.
  const sort = (root) => [...root.classList].filter((name) => name !== "busy").join();
  const same = sort(page.body) === sort(body);
  if (!same || names(page) !== names(document)) {
    // Nor is a part that comes or goes: whoever types in a sheet finds it as it was.
    if (same && document.activeElement?.closest(".card")) {
      waiting = true;
      return;
    }
    const giveBack = same ? kept(body) : () => {};
    body.className = page.body.className;
    body.replaceChildren(...page.body.childNodes);
    giveBack();
    chosen();
  } else {
    for (const part of parts(page)) {
      replace(document.getElementById(part.id), part, newCommand);
    }
  }
  // Each drawing of the page brings the id of the next press, and the sale that it shows.
  body.dataset.command = newCommand;
  for (const field of document.querySelectorAll('input[name="command"]')) field.value = newCommand;
  const seen = page.querySelector('#press input[name="seen"]');
  for (const field of document.querySelectorAll('#press input[name="seen"]')) field.value = seen?.value ?? "";
  document.dispatchEvent(new Event("till:drawn"));
}

/** What a person has opened or begun to type, to be given back to what is drawn in its place. */
function kept(old) {
  const open = [...old.querySelectorAll("details[open][id]")].map((sheet) => sheet.id);
  const typed = [...old.querySelectorAll("input[id]")].filter((field) => field.value !== field.defaultValue);
  const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  return () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const field of typed) {
      const same = document.getElementById(field.id);
      if (same) same.value = field.value;
    }
    if (focus) document.getElementById(focus)?.focus();
  };
}

function replace(old, part, command) {
  const fresh = part.outerHTML.replaceAll(command, "");
  if (drawn.get(old) === fresh) return;
  // Nothing is taken from under the hand of a person who types in a sheet; it follows when they leave.
  if (old.contains(document.activeElement) && document.activeElement.closest(".card")) {
    waiting = true;
    return;
  }
  const giveBack = kept(old);
  const scroll = [...old.querySelectorAll(".lines")].map((list) => [list.scrollTop, list.children.length]);
  const along = old.querySelector(".states")?.scrollLeft;
  const node = document.importNode(part, true);
  old.replaceWith(node);
  if (along !== undefined) (node.querySelector(".states") ?? node).scrollLeft = along;
  drawn.set(node, fresh);
  giveBack();
  [...node.querySelectorAll(".lines")].forEach((list, index) => {
    const before = scroll[index];
    list.scrollTop = before && list.children.length === before[1] ? before[0] : list.scrollHeight;
  });
}

function lost(is) {
  let note = document.getElementById("lost");
  if (is && !note) {
    note = document.createElement("p");
    note.id = "lost";
    note.className = "told bad";
    note.setAttribute("role", "alert");
    note.textContent = body.dataset.lost;
    body.append(note);
  } else if (!is) {
    note?.remove();
  }
}

/** Brings the chosen one of links that go beyond a narrow screen into sight. */
function chosen() {
  for (const links of document.querySelectorAll(".states")) {
    const [row, one] = [links, links.querySelector("[aria-current]")].map((node) => node?.getBoundingClientRect());
    if (one) links.scrollLeft += one.left - row.left - (row.width - one.width) / 2;
  }
}

/** Counts a finger as down for so long; when none is down any more, what was missed is drawn. */
function down(finger, ms) {
  clearTimeout(fingers.get(finger));
  fingers.set(finger, setTimeout(() => {
    fingers.delete(finger);
    if (fingers.size > 0 || !missed) return;
    missed = false;
    refresh();
  }, ms));
}

document.addEventListener("pointerdown", (event) => down(event.pointerId, PRESS_MS), true);
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, (event) => down(event.pointerId, event.pointerType === "touch" ? CLICK_MS : 0), true);
}

document.addEventListener("focusout", () => setTimeout(() => {
  if (!waiting || document.activeElement?.closest(".card")) return;
  waiting = false;
  refresh();
}));

/** The HTML that each part was drawn from, without the command of that time. */
const drawn = new WeakMap();
for (const part of document.querySelectorAll("[data-part]")) {
  drawn.set(part, part.outerHTML.replaceAll(body.dataset.command, ""));
}
let received = performance.now();

const two = (number) => String(number).padStart(2, "0");
const minutes = (seconds) => seconds < 3600
  ? `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
  : `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

// Clocks count by the till's time, not by this machine's.
setInterval(() => {
  const now = Number(body.dataset.now) + performance.now() - received;
  for (const clock of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.floor((now - Number(clock.dataset.since)) / 1000));
    clock.textContent = minutes(seconds);
  }
  for (const clock of document.querySelectorAll("time[data-until]")) {
    const seconds = Math.max(0, Math.ceil((Number(clock.dataset.until) - now) / 1000));
    // Some say in words what happens when they are over.
    if (seconds === 0 && clock.dataset.over) clock.parentElement.textContent = clock.dataset.over;
    else clock.textContent = minutes(seconds);
  }
}, 250);

// A receipt that is scanned opens its return: when it is scanned, and not when a page is loaded.
let opened = document.querySelector("[data-open]")?.dataset.open;
document.addEventListener("till:drawn", () => {
  const link = document.querySelector("[data-open]");
  if (!link || link.dataset.open === opened) return;
  opened = link.dataset.open;
  location.assign(link.href);
});

const events = new EventSource(body.dataset.live);
events.addEventListener("view", () => refresh());
events.addEventListener("error", () => lost(true));
document.addEventListener("till:refresh", (event) => refresh(event.detail ?? undefined));
for (const list of document.querySelectorAll(".lines")) list.scrollTop = list.scrollHeight;
chosen();
