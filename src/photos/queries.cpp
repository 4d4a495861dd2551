// SPDX-License-Identifier: Apache-2.0
#include "photos/queries.h"

#include <algorithm>
#include <array>

#include "photos/search.h"

namespace affiche::photos {
namespace {

struct StopList {
  std::string_view language;
  std::string_view words;  // folded, between spaces
};

// Articles, pronouns, prepositions, auxiliaries, and the small change of headlines.
constexpr std::array<StopList, 7> kStopLists = {{
    {"en",
     " a about after again against all also am an and any are as at be because been before being "
     "best between both but by can could did do does doing down during each ever every few first "
     "for from get gets go goes had has have he her here how i if in into is it its just know last "
     "less let like make makes many may me more most much must my need never new next no not now "
     "of "
     "off on one only or other our out over own part say says see she should so some still such "
     "than that the their them then there these they thing things this those through time to today "
     "too two under until up us use very want was way ways we were what when where which while who "
     "why will with without would year years yet you your "},
    {"de",
     " ab aber alle alles als also am an andere auch auf aus bei beim bis bist da dabei damit dann "
     "das dass dein dem den denn der des dich die dies diese dieser dieses doch dort du durch ein "
     "eine einem einen einer eines er erst es etwas euch fur gegen gibt hab habe haben hat hatte "
     "hier ich ihm ihn ihr ihre im immer in ins ist ja jahr jahre jede jeder jetzt kann kein keine "
     "konnen machen macht man mehr mein mit muss nach neu neue neuen neuer nicht nichts noch nun "
     "nur "
     "ob oder ohne schon sehr sein seine seit sich sie sind so soll sollte tag uber um und uns "
     "unser "
     "unter viel viele vom von vor wann war waren warum was weil welche wenn wer werden wie wieder "
     "will wir wird wo wurde zeit zu zum zur zwischen "},
    {"fr",
     " a ai ainsi alors apres au aucun aussi autre aux avant avec avoir bien c ce cela ces cet "
     "cette "
     "chaque comme comment d dans de depuis des deux donc du elle elles en encore entre est et ete "
     "etre eu fait faire faut il ils j je jour l la le les leur leurs lui ma mais mes moins mon n "
     "ne "
     "nos notre nous nouveau nouvelle on ont ou par pas pendant peut plus pour pourquoi qu quand "
     "que "
     "quel quelle qui quoi s sa sans se ses si son sont sous sur ta tous tout toute toutes tres tu "
     "un une va vers voici vos votre vous y "},
    {"es",
     " a al algo ante antes ano anos asi aun aunque bien cada como con contra cual cuando de del "
     "desde donde dos el ella ellos en entre era es esa ese eso esta estan estas este esto estos "
     "fue ha hace hacer hacia han hasta hay la las le les lo los mas me mi mucho muy nada ni no "
     "nos "
     "nuestra nuestro nueva nuevo o otra otro para pero poco por porque puede que quien se ser si "
     "sin sobre son su sus tambien tan te tiene todo todos tras tu un una uno unos y ya yo "},
    {"it",
     " a ad ai al alla alle allo anche ancora anni anno c che chi ci ciascuno come con cosa cosi d "
     "da dal dalla dalle dei del della delle dello di dopo dove due e ed era essere fa fare fra "
     "gli "
     "ha hai hanno ho i il in io l la le lei lo loro lui ma mai me mentre mi mia mio molto ne "
     "negli "
     "nei nel nella nelle noi non nostro nuova nuovo o ogni per perche piu prima puo qual quale "
     "quando quanto quella quello questa queste questi questo qui se sei senza si sia solo sono "
     "sopra sotto sta su sua sue sui sul sulla suo suoi te ti tra tu tua tuo tutti tutto un una "
     "uno "
     "vi voi "},
    {"nl",
     " aan al alle alleen als altijd andere ben bij dan dat de deze die dit doen door dus een eens "
     "en er ga geen haar had heb hebben heeft hem het hier hij hoe hun ik in is ja jaar je jij "
     "jullie "
     "kan kunnen maar maken me meer men met mijn moet na naar niet niets nieuw nieuwe nog nu of om "
     "omdat ons onze ook op over te tegen toch toen tot twee uit uw van veel voor waar waarom want "
     "waren was wat we weer wel werd wie wij wil worden wordt zal ze zich zij zijn zo zonder zou "},
    {"pt",
     " a ainda ano anos ao aos as ate cada com como contra da das de dela dele depois do dois dos "
     "e "
     "ela elas ele eles em entre era essa esse esta estao este eu faz fazer foi ha isso isto ja la "
     "lhe mais mas me mesmo meu minha muito na nao nas nem no nos nossa nosso nova novo num numa o "
     "onde os ou para pela pelas pelo pelos pode por porque qual quando que quem sao se sem ser "
     "seu "
     "seus so sobre sua suas tambem te tem todo todos tu tudo um uma voce "},
}};

std::string_view primary(std::string_view language) {
  return language.substr(0, language.find_first_of("-_"));
}

const StopList& list_of(std::string_view language) {
  for (const StopList& list : kStopLists) {
    if (list.language == primary(language)) return list;
  }
  return kStopLists[0];
}

std::ptrdiff_t characters(const std::string& word) {
  return std::count_if(word.begin(), word.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

bool is_stop_word(const std::string& word, const StopList& list) {
  // Folds as the search does, which also drops its own stop words.
  const std::vector<std::string> folded = search_words(word);
  if (folded.empty()) return true;
  const auto in = [&](const std::string& one) {
    return list.words.find(" " + one + " ") != std::string_view::npos;
  };
  // The search cuts a plural s: "was" stays, "years" is "year".
  return in(folded[0]) || in(folded[0] + "s");
}

// Bytes that end a word: ASCII other than letters, digits, ' and -, and U+2010 … U+206F.
bool ends_word(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) {
    const unsigned char low = byte | 0x20;
    return !((low >= 'a' && low <= 'z') || (byte >= '0' && byte <= '9') || byte == '-');
  }
  const bool general = byte == 0xe2 && at + 2 < text.size() &&
                       (static_cast<unsigned char>(text[at + 1]) & 0xfe) == 0x80;
  const bool guillemet = byte == 0xc2 && at + 1 < text.size();
  if (general) at += 2;
  if (guillemet) at += 1;
  return general || guillemet;
}

struct Word {
  std::string text;
  bool name = false;
  std::size_t place = 0;
};

bool is_capital(const std::string& word) {
  const auto first = static_cast<unsigned char>(word[0]);
  if (first >= 'A' && first <= 'Z') return true;
  // À … Þ and А … Я, the capitals of Latin-1 and Cyrillic.
  if (first == 0xc3 && word.size() > 1) return static_cast<unsigned char>(word[1]) < 0x9f;
  return first == 0xd0 && word.size() > 1 && static_cast<unsigned char>(word[1]) < 0xb0;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  std::string word;
  bool begins = true;  // a sentence
  const auto finish = [&] {
    while (!word.empty() && word.back() == '-') word.pop_back();
    if (!word.empty()) {
      words.push_back({word, is_capital(word) && !begins, words.size()});
      begins = false;
    }
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char first = text[i];
    if (ends_word(text, i)) {
      finish();
      if (first == '.' || first == ':' || first == '!' || first == '?') begins = true;
    } else if (first != '-' || !word.empty()) {
      word.push_back(first);
    }
  }
  finish();
  return words;
}

std::string joined(const std::vector<std::string>& words, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(count, words.size()); ++i) {
    out += (out.empty() ? "" : " ") + words[i];
  }
  return out;
}

}  // namespace

bool has_stop_list(std::string_view language) {
  return list_of(language).language == primary(language);
}

std::vector<std::string> key_words(std::string_view text, std::string_view language) {
  const StopList& list = list_of(language);
  std::vector<Word> words = words_of(text);
  // German writes every noun with a capital; a headline in capitals has no names to tell.
  const auto capitals = std::count_if(words.begin(), words.end(),
                                      [](const Word& word) { return is_capital(word.text); });
  const bool plain =
      list.language == "de" || 2 * static_cast<std::size_t>(capitals) > words.size() + 1;
  std::erase_if(words, [&](const Word& word) {
    return word.text.size() < 2 || is_stop_word(word.text, list) ||
           word.text.find_first_not_of("0123456789-") == word.text.npos;
  });
  std::stable_sort(words.begin(), words.end(), [&](const Word& a, const Word& b) {
    if (!plain && a.name != b.name) return a.name;
    return characters(a.text) > characters(b.text);
  });
  std::vector<std::string> found;
  std::vector<std::string> folded;
  for (const Word& word : words) {
    const std::string one = search_words(word.text).front();
    if (std::find(folded.begin(), folded.end(), one) != folded.end()) continue;
    folded.push_back(one);
    found.push_back(word.text);
  }
  return found;
}

std::vector<std::string> queries_of(std::string_view title, std::string_view category,
                                    std::string_view language) {
  const std::vector<std::string> words = key_words(title, language);
  const std::string topic = joined(key_words(category, language), 2);
  std::vector<std::string> queries;
  const auto add = [&](std::string query) {
    if (!query.empty() && std::find(queries.begin(), queries.end(), query) == queries.end()) {
      queries.push_back(std::move(query));
    }
  };
  add(joined(words, 4));
  const std::string two = joined(words, 2);
  add(two.empty() || topic.empty() ? two : two + " " + topic);
  add(topic);
  add(joined(words, 1));
  return queries;
}

}  // namespace affiche::photos
