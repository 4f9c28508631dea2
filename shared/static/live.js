"use strict";

// One row per item, the one that changed last on top; the page comes with the latest. EventSource reconnects by itself;
// after a refusal (503) it gives up, so that is done here.
const rows = document.getElementById("stock");
const state = document.getElementById("state");

function show(change) {
  const id = `item-${change.item_id}`;
  let row = document.getElementById(id);
  if (!row) {
    row = document.createElement("tr");
    row.id = id;
    const link = document.createElement("a");
    link.href = `/items/${change.item_id}`;
    link.textContent = `Item ${change.item_id}`;
    name(link, change.item_id);
    row.insertCell().append(link);
    row.insertCell();
  }
  row.cells[1].textContent = change.stock;
  rows.prepend(row);
  while (rows.rows.length > 50) {
    rows.lastElementChild.remove();
  }
}

async function name(link, id) {
  const answer = await fetch(`/api/items/${id}`);
  if (answer.ok) {
    link.textContent = (await answer.json()).name;
  }
}

function connect() {
  const source = new EventSource("/api/events/stock");
  source.onopen = () => {
    state.textContent = "Connected";
  };
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.onerror = () => {
    state.textContent = "Connecting";
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(connect, 1000);
    }
  };
}

connect();
