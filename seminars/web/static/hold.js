// Keeps «17 minutes from now» true while the page stands open. It changes words once a minute and nothing else.
(() => {
  "use strict";
  const hold = document.getElementById("hold");
  if (!hold) return;
  const end = Date.parse(hold.querySelector("time").dateTime);
  const told = hold.querySelector(".remaining");
  const tell = () => {
    const minutes = Math.floor((end - Date.now()) / 60000);
    if (minutes > 0) told.textContent = `${minutes}\u00a0${minutes === 1 ? "minute" : "minutes"} from now`;
    else if (end > Date.now()) told.textContent = "less than a minute from now";
    else told.textContent = "which has passed. Register now, or hold them again";
  };
  tell();
  setInterval(tell, 15000);
})();
