// One function a command group; each adds its subcommands, whose callbacks do the work and throw core::Fault with one
// sentence when they fail. A new group is a file and a line here and in main.cpp.
#pragma once

namespace CLI {
class App;
}

namespace tellerd::tellerctl {

struct Context;

void register_load(CLI::App& app, Context& context);        // load
void register_daemon(CLI::App& app, Context& context);      // status, customer, explain, why-not, why-empty, clock
void register_streams(CLI::App& app, Context& context);     // send, tail, watch
void register_work(CLI::App& app, Context& context);        // work
void register_export(CLI::App& app, Context& context);      // export
void register_quarantine(CLI::App& app, Context& context);  // quarantine list|show|repair|retry
void register_policy(CLI::App& app, Context& context);      // policy copy|check|plan|activate|history
void register_sources(CLI::App& app, Context& context);     // generate, split
void register_user(CLI::App& app, Context& context);        // user add|password|remove|list
void register_store(CLI::App& app, Context& context);       // verify, rebuild
void register_models(CLI::App& app, Context& context);      // train, model list|show|activate
void register_bench(CLI::App& app, Context& context);       // bench ingest|versus|latency|restart|memory|all

}  // namespace tellerd::tellerctl
