// Fetches each address given twice, the second time with the validators of the first, and has four parsers read it.
// Prints, as JSON, for each address: the second status, and by parser its entries as it gives them, under one name each.
import { Readable } from "node:stream";
import { parseFeed as rowan } from "@rowanmanning/feed-parser";
import FeedParser from "feedparser";
import { parseFeed as smith } from "feedsmith";
import RssParser from "rss-parser";

const text = (value) => (typeof value === "object" ? value.value : value);

function feedsmith(document) {
  const { feed } = smith(document);
  return (feed.items ?? feed.entries).map((each) => ({
    id: text(each.guid) ?? each.id,
    title: text(each.title),
    link: each.link ?? each.url ?? each.links.find((link) => link.rel === "alternate").href,
    at: each.pubDate ?? each.published ?? each.date_published,
    author: each.dc?.creators[0] ?? each.authors[0].name,
    content: each.content_html ?? each.content?.encoded ?? text(each.content ?? each.summary ?? each.description),
  }));
}

function rowanmanning(document) {
  return rowan(document).items.map((each) => ({
    id: each.id,
    title: each.title,
    link: each.url,
    at: each.published,
    author: each.authors[0].name,
    content: each.content ?? each.description,
  }));
}

async function rssParser(document) {
  return (await new RssParser().parseString(document)).items.map((each) => ({
    id: each.guid ?? each.id,
    title: each.title,
    link: each.link,
    at: each.isoDate,
    author: each.creator ?? each.author,
    content: each["content:encoded"] ?? each.content ?? each.summary,
  }));
}

async function feedparser(document) {
  const entries = [];
  for await (const each of Readable.from([document]).pipe(new FeedParser())) {
    entries.push({
      id: each.guid,
      title: each.title,
      link: each.link,
      at: each.pubDate,
      author: each.author,
      content: each.description,
    });
  }
  return entries;
}

const told = {};
for (const url of process.argv.slice(2)) {
  const first = await fetch(url);
  const document = await first.text();
  const headers = { "If-None-Match": first.headers.get("etag"), "If-Modified-Since": first.headers.get("last-modified") };
  const second = await fetch(url, { headers });
  await second.arrayBuffer();
  const by = { feedsmith: feedsmith(document) };
  if (!url.endsWith(".json")) {
    by["@rowanmanning/feed-parser"] = rowanmanning(document);
    by["rss-parser"] = await rssParser(document);
    by.feedparser = await feedparser(document);
  }
  told[url] = { status: second.status, by };
}
console.log(JSON.stringify(told));
