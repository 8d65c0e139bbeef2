// Goes on once every application has heard of the sign-out, or after three seconds if one doesn't answer.
const onward = document.getElementById("onward").href;
const heard = [...document.querySelectorAll("iframe")].map(
  (frame) => new Promise((done) => { frame.addEventListener("load", done); frame.addEventListener("error", done); }),
);
const longEnough = new Promise((done) => { setTimeout(done, 3000); });
Promise.race([Promise.all(heard), longEnough]).then(() => location.replace(onward));
