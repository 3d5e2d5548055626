#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// The words of names and notes, folded so that who writes them otherwise finds them: "zabka" finds
// "Żabka", "ооо ромашка" finds «ООО "Ромашка"».

namespace rapport {

// The words of a UTF-8 text in their order, double ones too. A word is a run of letters and digits;
// all else stands between words. Folded are: case (in full: ß is ss, a final sigma a sigma),
// compatible forms (ﬁ, ①, full width), marks over and under letters (é is e, й is и, ё is е), and
// Latin letters that Unicode does not take apart (ł, ø, đ, ð, ħ, ŧ, ı: as without the stroke or
// with the dot; æ, œ, þ: ae, oe, th). Of a script that puts nothing between words, a run is one.
// What is no UTF-8 stands between words.
std::vector<std::string> FoldedWords(absl::string_view text);

// Whether each of `wanted` is what one of `words` begins with; all are folded.
bool BeginWith(const std::vector<std::string>& words, const std::vector<std::string>& wanted);

// Names the tables that FoldedWords goes by, such as "Unicode 15.0": with others it may fold
// otherwise.
std::string FoldingVersion();

}  // namespace rapport
