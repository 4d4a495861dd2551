// SPDX-License-Identifier: Apache-2.0
#include "cards/xmp_toolkit.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>

#include <utility>

#include "base/error.h"

namespace affiche::cards {

std::mutex& toolkit_mutex() {
  static std::mutex mutex;
  return mutex;
}

void start_toolkit() {
  static const bool started = [] {
    if (!xmp_init()) fail(Cause::Internal, "exempi does not start");
    const std::pair<const char*, const char*> namespaces[] = {
        {"http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt"},
        {"http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Iptc4xmpCore"},
        {"http://ns.useplus.org/ldf/xmp/1.0/", "plus"},
        {"http://www.metadataworkinggroup.com/schemas/regions/", "mwg-rs"},
        {"http://ns.adobe.com/xmp/sType/Area#", "stArea"},
        {"http://creativecommons.org/ns#", "cc"},
        {"http://ns.adobe.com/xap/1.0/mm/", "xmpMM"},
        {"http://ns.adobe.com/xap/1.0/sType/ResourceRef#", "stRef"},
        {NS_XAP_RIGHTS, "xmpRights"}};
    for (const auto& [uri, prefix] : namespaces) {
      XmpStringPtr registered = xmp_string_new();
      xmp_register_namespace(uri, prefix, registered);
      xmp_string_free(registered);
    }
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace affiche::cards
