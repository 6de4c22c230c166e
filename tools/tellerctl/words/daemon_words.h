// The daemon's answers as text for people; --json gives them whole. What an answer lacks is left out.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tellerd::tellerctl {

std::string status_words(const nlohmann::json& status);                               // the document of Status
std::string choice_words(const nlohmann::json& answer, const std::string& language);  // Explain, WhyNot, WhyEmpty
std::string customer_words(const nlohmann::json& answer);                             // the answer of Customer

}  // namespace tellerd::tellerctl
