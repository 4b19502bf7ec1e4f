/**
 * Reports whether a proxy in front of the server has changed the Host header. If so, the server
 * refuses requests from this page, because they seem to come from another site.
 * @param {{ host?: string, origins?: string }} dataset Host as the server received it, and other origins that it accepts
 * @param {{ protocol: string, host: string, origin: string }} location
 */
export function isHostChanged({ host, origins = "" }, location) {
  if (!host || origins.split(" ").includes(location.origin)) return false;
  const url = `${location.protocol}//${host}`;
  return !URL.canParse(url) || new URL(url).host !== location.host;
}

/**
 * If a proxy changes the Host header, shows how to configure the proxy. A successful connection removes the notice.
 * @param {EventTarget & { state: string }} connection @param {{ update(facts: { blocked: string }): void }} status
 */
export function checkHost(connection, status) {
  const { dataset } = document.body;
  if (!isHostChanged(dataset, location) || ["catching-up", "live"].includes(connection.state)) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.role = "alert";
  notice.textContent = `The proxy in front of this chat changes the Host header to ${dataset.host}, so the server refuses to connect. The administrator must make the proxy pass the header unchanged (nginx: proxy_set_header Host $http_host;), or set ORIGINS=${location.origin}.`;
  document.querySelector("#jump, .masthead").after(notice);
  status.update({ blocked: "Blocked by a proxy setting" });
  connection.addEventListener("hello", () => {
    notice.remove();
    status.update({ blocked: "" });
  });
}
