// Fetches each address given twice, the second time with the validators of the first, and has three parsers read it.
// Prints, as JSON, for each address: the second status, and the entries (id, title) that each parser found.
import { parseFeed as rowan } from "@rowanmanning/feed-parser";
import { parseFeed as smith } from "feedsmith";
import RssParser from "rss-parser";

const told = {};
for (const url of process.argv.slice(2)) {
  const first = await fetch(url);
  const text = await first.text();
  const headers = { "If-None-Match": first.headers.get("etag"), "If-Modified-Since": first.headers.get("last-modified") };
  const second = await fetch(url, { headers });
  await second.arrayBuffer();
  const by = {};
  const { format, feed } = smith(text);
  by.feedsmith = (feed.items ?? feed.entries).map((each) => [
    each.guid?.value ?? each.id,
    typeof each.title === "object" ? each.title.value : each.title,
  ]);
  if (format !== "json") {
    by["@rowanmanning/feed-parser"] = rowan(text).items.map((each) => [each.id, each.title]);
    by["rss-parser"] = (await new RssParser().parseString(text)).items.map((each) => [each.guid ?? each.id, each.title]);
  }
  told[url] = { status: second.status, by };
}
console.log(JSON.stringify(told));
