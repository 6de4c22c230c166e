// The loan system's three JSON arrays (domain.md 4): client_id n is person n. Instalments planned before `until` have
// a row unless nobody paid them; about 15 % of the planned ones are late, partly paid or not paid at all.
#pragma once
#include "tellerctl/generate/output.h"
#include "tellerctl/generate/people.h"

namespace tellerd::tellerctl {

std::vector<std::string> loans_files(const std::string& folder);  // folder: "" or "loans/"
bool has_loans(const Population& population, const Person& person, bool is_for_everyone);
// Under `is_for_everyone` each person borrows, else nine of twenty do.
void write_loans(OutputFolder& out, const Population& population, const std::string& folder, bool is_for_everyone);

}  // namespace tellerd::tellerctl
