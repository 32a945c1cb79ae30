// The keypad of a binding: its buttons type into the field, which can be typed into all the same.

for (const pad of document.querySelectorAll("[data-keypad]")) {
  const field = document.getElementById(pad.dataset.keypad);
  field.inputMode = "text";
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.erase === "all") field.value = "";
    else if (button.dataset.erase) field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += button.dataset.key;
  });
}
