// Fetches the bill anew when the cloud says that it has changed, or where nothing can say so after a while, and opens WeChat's own window where a payment
// waits in it. But for that window the page works without this.
const main = () => document.querySelector("main");

async function refresh() {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  // Whoever paid keeps the receipt when the desk has moved on.
  const live = main().dataset.live;
  const sale = live && new URL(live, location.href).searchParams.get("sale");
  if (sale) address.searchParams.set("sale", sale);
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok) return again();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  const typed = main().querySelector("input[name=token]");
  if (typed && typed.value) {
    const field = fresh.querySelector("input[name=token]");
    if (field) field.value = typed.value;
  }
  main().replaceWith(fresh);
  attend();
}

function payInWindow() {
  const values = main().dataset.window;
  if (!values) return;
  const open = () =>
    WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(values), () => refresh().catch(() => {}));
  if (typeof WeixinJSBridge === "undefined") document.addEventListener("WeixinJSBridgeReady", open, { once: true });
  else open();
}

let timer;

function again() {
  clearTimeout(timer);
  const seconds = Number(main().dataset.again);
  if (seconds) timer = setTimeout(() => refresh().catch(again), seconds * 1000);
}

function attend() {
  again();
  document.getElementById("window")?.addEventListener("click", payInWindow);
  // Once by itself for each payment: who closed the window has a button.
  const values = main().dataset.window;
  if (values && sessionStorage.getItem("window") !== values) {
    sessionStorage.setItem("window", values);
    payInWindow();
  }
}

if (main().dataset.live) {
  const source = new EventSource(main().dataset.live);
  source.addEventListener("bill", (event) => {
    // The mark says what a page shows: another one means that ours is old.
    if (event.data !== main().dataset.mark) refresh().catch(() => {});
  });
}
attend();
