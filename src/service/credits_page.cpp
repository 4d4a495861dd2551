// SPDX-License-Identifier: Apache-2.0
#include "service/credits_page.h"

#include "base/json.h"

namespace affiche::service {
namespace {

std::string escape(const std::string& text, const std::string& special,
                   const std::vector<std::string>& replacements) {
  std::string out;
  for (const char c : text) {
    const std::size_t at = special.find(c);
    if (at == std::string::npos) {
      out.push_back(c);
    } else {
      out += replacements[at];
    }
  }
  return out;
}

std::string html(const std::string& text) {
  return escape(text, "&<>\"'\n", {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", " "});
}

std::string markdown(const std::string& text) {
  return escape(text, "|\\`*_[]<>\r\n",
                {"\\|", "\\\\", "\\`", "\\*", "\\_", "\\[", "\\]", "&lt;", "&gt;", " ", " "});
}

// A cell that begins like a formula would be run by a spreadsheet.
std::string csv(std::string text) {
  if (!text.empty() && std::string("=+-@\t\r").find(text[0]) != std::string::npos) {
    text.insert(0, "'");
  }
  return "\"" + escape(text, "\"", {"\"\""}) + "\"";
}

// Only links that a browser follows to a page.
bool is_web(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

std::string html_link(const std::string& url, const std::string& text) {
  const std::string shown = "<bdi>" + html(text) + "</bdi>";
  return is_web(url) ? "<a href=\"" + html(url) + "\">" + shown + "</a>" : shown;
}

std::string markdown_link(const std::string& url, const std::string& text) {
  const std::string target =
      escape(url, "()<> |\\", {"%28", "%29", "%3C", "%3E", "%20", "%7C", "%5C"});
  return is_web(url) && !text.empty() ? "[" + markdown(text) + "](" + target + ")" : markdown(text);
}

std::string joined(const std::vector<std::string>& texts, const char* joint) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : joint) + text;
  return out;
}

}  // namespace

std::string credits_markdown(const Ledger& ledger) {
  std::string page =
      "| when | card | title | author | source | licence | changes | credit line |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const store::CreditEntry& entry : ledger) {
    const Credit& credit = entry.credit;
    for (const std::string& cell :
         {iso8601(entry.at), markdown(entry.card_path),
          markdown_link(credit.source_url, credit.title),
          markdown_link(credit.author_url, credit.author), markdown(credit.source),
          markdown_link(credit.license_url, license_label(credit.license)),
          markdown(joined(credit.changes, ", ")), markdown(entry.line)}) {
      page += "| " + cell + " ";
    }
    page += "|\n";
  }
  return page;
}

std::string credits_html(const Ledger& ledger) {
  std::string page =
      "<table class=\"credits\">\n<thead><tr><th>When</th><th>Card</th><th>Title</th>"
      "<th>Author</th><th>Source</th><th>Licence</th><th>Changes</th><th>Credit</th></tr></thead>\n"
      "<tbody>\n";
  for (const store::CreditEntry& entry : ledger) {
    const Credit& credit = entry.credit;
    page += "<tr>";
    for (const std::string& cell :
         {iso8601(entry.at), html(entry.card_path), html_link(credit.source_url, credit.title),
          html_link(credit.author_url, credit.author), html_link("", credit.source),
          html_link(credit.license_url, license_label(credit.license)),
          html(joined(credit.changes, ", ")), html_link(credit.source_url, entry.line)}) {
      page += "<td>" + cell + "</td>";
    }
    page += "</tr>\n";
  }
  return page + "</tbody>\n</table>\n";
}

std::string credits_csv(const Ledger& ledger) {
  std::string page =
      "when,job,card,card_sha256,photo,title,author,author_url,source,source_url,license,"
      "license_url,changes,line,site,evidence_sha256,card_license\n";
  for (const store::CreditEntry& entry : ledger) {
    const Credit& credit = entry.credit;
    page += iso8601(entry.at) + "," + (entry.job_id ? std::to_string(*entry.job_id) : "");
    for (const std::string& cell :
         {entry.card_path, entry.card_sha256, entry.photo_id, credit.title, credit.author,
          credit.author_url, credit.source, credit.source_url, credit.license, credit.license_url,
          joined(credit.changes, "; "), entry.line, entry.site, entry.evidence_sha256,
          card_license(credit)}) {
      page += "," + csv(cell);
    }
    page += "\n";
  }
  return page;
}

std::string credits_json(const Ledger& ledger) {
  Json list = Json::array();
  for (const store::CreditEntry& entry : ledger) {
    list.push_back({{"id", entry.id},
                    {"job", entry.job_id ? Json(*entry.job_id) : Json()},
                    {"card", entry.card_path},
                    {"card_sha256", entry.card_sha256},
                    {"photo", entry.photo_id},
                    {"credit", Json::parse(to_json(entry.credit))},
                    {"card_license", card_license(entry.credit)},
                    {"line", entry.line},
                    {"site", entry.site},
                    {"evidence_sha256", entry.evidence_sha256},
                    {"at", iso8601(entry.at)}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace affiche::service
