// The parts of a pack that stand alone, one function a file; pack.cpp joins them and checks what refers to what.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decide/pack.h"
#include "decide/pack_section.h"

namespace tellerd::decide {

Contact parse_contact(const std::string& place, const toml::table& table);
Catalogue parse_catalogue(const std::string& place, const toml::table& table, const Pack& rest);
void parse_contact_of(const Section& section, Template& offer);  // what the contact policy asks of a template
Terms terms_of(const Section& section);                          // "treatment" and "parameters", both may be missing
Competitors parse_competitors(const std::string& place, const toml::table& table);
MccTable parse_mcc(const std::string& place, const toml::table& table);
Merchants parse_merchants(const std::string& place, const toml::table& table);
Holidays parse_holidays(const std::string& place, const toml::table& table);
// Names in braces but {1} and {2}; nothing when a brace has no other or holds no name.
std::optional<std::vector<std::string>> names_in_braces(std::string_view words);
Texts parse_texts(const std::string& place, const toml::table& table);

}  // namespace tellerd::decide
