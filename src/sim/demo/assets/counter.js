// Presses of the counter's buttons, and the paper as it grows.
const words = document.getElementById("words");
const paper = document.getElementById("paper");
let received = -1;

async function press(button) {
  button.disabled = true;
  try {
    const answer = await fetch(`/do/${button.dataset.do}`, { method: "POST" });
    words.textContent = (await answer.json()).words;
  } catch {
    words.textContent = "The demonstration does not answer. Is it still running?";
  }
  button.disabled = false;
  look();
}

async function look() {
  try {
    const state = await (await fetch("/state")).json();
    for (const button of document.querySelectorAll("[data-state]")) {
      button.textContent = state[button.dataset.state] ? button.dataset.on : button.dataset.off;
    }
    if (state.received !== received) {
      received = state.received;
      paper.contentWindow.location.reload();
      paper.addEventListener("load", () => paper.contentWindow.scrollTo(0, 1e9), { once: true });
    }
  } catch {
    words.textContent = "The demonstration does not answer. Is it still running?";
  }
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => press(button));
}
setInterval(look, 1000);
look();
