// exp, log and square root whose last bit is the same on every machine: the C library picks its routines by processor,
// and what is folded from the log must not depend on that. Plain arithmetic in a fixed order, good to about 1e-15.
// Pure.
#pragma once

namespace tellerd::model {

double steady_exp(double x) noexcept;  // 0 below -700, the value of 700 above it
double steady_log(double x) noexcept;  // x > 0
double steady_sigmoid(double margin) noexcept;

}  // namespace tellerd::model
