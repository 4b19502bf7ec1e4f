/**
 * Reports whether a proxy in front of the server changes the Host header. The server then takes this
 * page's requests for those of another site and refuses them.
 * @param {{ host?: string, origins?: string }} seen Host as the server received it, and the origins that it accepts besides
 * @param {{ protocol: string, host: string, origin: string }} location
 */
export function isHostChanged({ host, origins = "" }, location) {
  if (!host || origins.split(" ").includes(location.origin)) return false;
  const url = `${location.protocol}//${host}`;
  return !URL.canParse(url) || new URL(url).host !== location.host;
}

/**
 * Shows what to configure if a proxy changes the Host header, until a connection succeeds.
 * @param {EventTarget & { state: string }} connection @param {{ update(facts: { blocked: string }): void }} status
 */
export function check(connection, status) {
  const seen = document.body.dataset;
  if (!isHostChanged(seen, location) || ["catching-up", "live"].includes(connection.state)) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.role = "alert";
  notice.textContent = `The proxy in front of this chat changes the Host header to ${seen.host}, so the server refuses to connect. Its administrator must make the proxy pass Host on unchanged (nginx: proxy_set_header Host $http_host;), or set ORIGINS=${location.origin}.`;
  document.querySelector("#jump, .masthead").after(notice);
  status.update({ blocked: "Blocked by a proxy setting" });
  connection.addEventListener("hello", () => {
    notice.remove();
    status.update({ blocked: "" });
  });
}
