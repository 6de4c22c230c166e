// The electronic broker's seven CSV files (domain.md 5). For each 5,000 clients: 15,000 transactions, 8,000 logins,
// 10,000 activities, 7,000 bill payments, 3,000 holdings, 1,000 rates, counted in different ids. Beside those about
// 1 % of the rows stand twice and 1 % once more with a later date of their own and other content.
#pragma once
#include "tellerctl/generate/output.h"
#include "tellerctl/generate/people.h"

namespace tellerd::tellerctl {

std::vector<std::string> broker_files();
void write_broker(OutputFolder& out, const Population& population);

}  // namespace tellerd::tellerctl
