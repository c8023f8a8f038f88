// Small comforts. Every page works without this file: nothing here knows anything that the server does not also say.

const copyButtons = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
  }
};

// Copy the text beside the button.
const copy = async (button) => {
  const source = button.parentElement.querySelector("pre, code, .digest");
  if (!source) return;
  await navigator.clipboard.writeText(source.title || source.textContent);
  const words = button.textContent;
  button.textContent = "✓ " + words;
  setTimeout(() => { button.textContent = words; }, 1500);
};

// Replace one region of the page by the same region of the page behind a link or a form that has its own address.
const load = async (url, id, push) => {
  const region = document.getElementById(id);
  if (!region || new URL(url, location.href).origin !== location.origin) return false;
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(id);
    if (!answer.ok || !fresh) return false;
    region.replaceWith(fresh);
    document.title = page.title;
    if (push) history.pushState({ region: id }, "", url);
    copyButtons(fresh);
    return true;
  } catch {
    return false;
  } finally {
    region.removeAttribute("aria-busy");
  }
};

// Hide the rows of a table that do not hold what is typed.
const filter = (input) => {
  const wanted = input.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(`#${CSS.escape(input.dataset.filter)} tbody tr`)) {
    row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) return copy(button);
  const link = event.target.closest("a[data-region]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  if (!(await load(link.href, link.dataset.region, true))) location.assign(link.href);
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.region || form.method !== "get") return;
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const url = `${new URL(form.action).pathname}?${query}`;
  if (!(await load(url, form.dataset.region, true))) location.assign(url);
});

document.addEventListener("input", (event) => {
  if (event.target.dataset.filter) filter(event.target);
});

window.addEventListener("popstate", async (event) => {
  const id = event.state?.region || document.querySelector("form[data-region]")?.dataset.region;
  if (id && !(await load(location.href, id, false))) location.reload();
});

for (const input of document.querySelectorAll("[data-filter]")) input.closest("[hidden]")?.removeAttribute("hidden");
copyButtons(document);
